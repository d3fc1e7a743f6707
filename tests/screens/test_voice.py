"""The hall's voice: what it says, how long that lasts, what happens when there is no voice."""

import io
import subprocess
import threading
import wave

import pytest
from flask import Flask

from screens.blueprint import create_screens
from screens.voice import CHIME, RATE, SPEAKING, Voice, as_wave, chime, louder, sentence, spoken, tens, trimmed

CALL = {"seq": 7, "at": "2026-11-20T01:02:03.000Z", "type": "TicketCalled", "data": {"number": "A023", "window": 3}}


def seconds(sound):
    with wave.open(io.BytesIO(sound)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
        return file.getnframes() / RATE


@pytest.fixture
def voice(tmp_path):
    return Voice(tmp_path / "cache")


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, "一"),
        (10, "十"),
        (12, "十二"),
        (20, "二十"),
        (21, "二十一"),
        (105, "一百零五"),
        (110, "一百一十"),
        (0, "零"),
    ],
)
def test_a_windows_number_as_one_says_it(number, words):
    assert tens(number) == words


def test_digits_are_spoken_one_by_one():
    assert spoken("A023", 3) == ["请", "A", "零", "二", "三", "号", "到", "三", "号窗口"]
    assert sentence(spoken("B107", 12)) == "请 B 一零七号，到十二号窗口"


def test_the_built_in_voice_reads_chinese_as_chinese():
    """The sounds espeak-ng would make: pinyin syllables, no word read as English, but the letter's name."""
    said = subprocess.run(
        ["espeak-ng", *SPEAKING, "-q", "-x", "--stdin"],
        input=sentence(spoken("A023", 3)).encode(),
        capture_output=True,
        check=True,
    ).stdout.decode()
    assert "(en)" not in said
    assert said.split()[0].startswith("tS;h")  # 请 begins with q, not with k
    assert said.count("_|") >= 10


def test_a_call_lasts_as_long_as_a_call(voice):
    sound = voice.call("A023", 3)
    assert 3.5 < seconds(sound) < 9
    assert seconds(voice.call("A0023", 12)) > seconds(sound)  # one digit and one word more
    assert voice.state() == {"state": "ready", "reason": ""}


def test_a_call_begins_with_the_chime_and_is_loud_enough(voice):
    sound = voice.call("A023", 3)
    bell = chime()
    assert sound[44 : 44 + 2000] == as_wave(bell)[44 : 44 + 2000]
    samples = memoryview(sound[44:]).cast("h")
    speech = samples[len(bell) :]
    assert 0.8 < max(map(abs, speech)) / 32767 <= 0.9


def test_the_chime_is_two_soft_tones():
    bell = chime()
    assert len(bell) == int(max(start + length for _, start, length in CHIME) * RATE)
    assert max(map(abs, bell)) < 0.4 * 32767
    assert abs(bell[0]) < 50
    assert abs(bell[-1]) < 700


def test_the_same_call_is_rendered_once(tmp_path):
    voice = Voice(tmp_path / "cache")
    first = voice.call("A001", 1)
    deaf = Voice(tmp_path / "cache", program="espeak-ng")
    deaf.patience = 0.0001  # rendering anew would fail
    assert deaf.call("A001", 1) == first
    assert deaf.fault == ""


def test_many_boards_asking_at_once_get_whole_sounds(voice):
    sounds = []
    askers = [threading.Thread(target=lambda: sounds.append(voice.call("C100", 2))) for _ in range(6)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert len({len(sound) for sound in sounds}) == 1
    assert [p.suffix for p in voice.cache.iterdir()] == [".wav"]


def test_without_a_voice_the_chime_sounds_and_one_sentence_tells_who_should_act(tmp_path):
    told = []
    voice = Voice(tmp_path / "cache", program="no-such-voice", on_fault=told.append)
    assert seconds(voice.call("A001", 1)) == pytest.approx(len(chime()) / RATE)
    voice.call("A002", 1)
    assert len(told) == 1
    assert "请技术人员安装" in told[0]
    assert voice.state() == {"state": "missing", "reason": told[0]}
    assert not voice.cache.exists()  # a chime is not kept as if it were the call
    voice.program = "espeak-ng"
    voice.call("A003", 1)
    assert told[1:] == [""]
    assert voice.state()["state"] == "ready"


def test_a_voice_that_hangs_is_given_up(tmp_path):
    sleeper = tmp_path / "sleeper"
    sleeper.write_text("#!/bin/sh\nexec sleep 30\n")
    sleeper.chmod(0o755)
    voice = Voice(tmp_path / "cache", program=str(sleeper), patience=0.2)
    assert seconds(voice.call("A001", 1)) < 2
    assert "没有应答" in voice.fault


def test_recorded_clips_come_first_and_a_missing_one_leaves_it_to_the_built_in_voice(tmp_path):
    pack = tmp_path / "pack"
    pack.mkdir()
    for piece in {*spoken("A011", 1)}:
        (pack / f"{piece}.wav").write_bytes(as_wave(louder(chime(), 0.5)[: RATE // 4]))
    voice = Voice(tmp_path / "cache", pack=pack, program="no-such-voice")
    quarter_seconds = len(spoken("A011", 1))
    assert seconds(voice.call("A011", 1)) == pytest.approx(len(chime()) / RATE + 0.18 + quarter_seconds / 4, abs=0.02)
    assert voice.fault == ""
    voice.call("A012", 1)  # no clip says 二
    assert voice.fault != ""


def test_silence_at_both_ends_is_cut_off():
    sound = chime()
    padded = type(sound)("h", [0] * 500) + sound + type(sound)("h", [0] * 500)
    assert len(trimmed(padded)) <= len(sound)
    assert len(trimmed(type(sound)("h", [0] * 10))) == 10


@pytest.fixture
def browser(voice):
    app = Flask(__name__, static_folder=None)
    elsewhere = []

    def aside(work):
        elsewhere.append(work)
        return work()

    events = {7: CALL, 8: {**CALL, "seq": 8, "type": "TicketPassed"}}
    app.register_blueprint(create_screens(events.get, voice, elsewhere=aside))
    client = app.test_client()
    client.elsewhere = elsewhere
    return client


def test_the_announcement_of_a_call_is_fetched_by_its_number_in_the_journal(browser):
    answer = browser.get("/voice/7.wav")
    assert answer.mimetype == "audio/wav"
    assert seconds(answer.data) > 3
    assert len(browser.elsewhere) == 1  # not in the server's own loop
    assert browser.get("/voice/8.wav").status_code == 404  # no call
    assert browser.get("/voice/9.wav").status_code == 404
    assert seconds(browser.get("/voice/check.wav").data) > 1
    assert browser.get("/voice/state.json").json["state"] == "ready"
