"""What the hall shows and says in public: hall board, window screen, evaluator card, announcements, LED-strip texts.

Nothing is decided here. Pages fetch what they show from the hall's public doors (docs/api.md) and follow its events;
the voice and the strips are told an event and answer with sound and texts.
"""
