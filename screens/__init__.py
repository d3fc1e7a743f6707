"""What the hall shows and says in public: boards, window screens, evaluator cards, announcements."""
