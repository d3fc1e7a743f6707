"""A full disk as the kiosk meets it: a sentence in the citizen's language, and the same touch works afterwards."""


def test_a_kiosk_is_told_in_words_that_nothing_was_stored(house):
    kiosk = house.caller("kiosk")
    limit = "PRAGMA max_page_count={}"
    house.hall._store.write(lambda unit: unit.connection.raw.execute(limit.format(1)))
    for touch in range(2000):  # there is still some room in the pages the file has
        answer = kiosk.post("/tickets", {"queue": "A"}, Idempotency_Key=f"touch {touch}")
        if answer.status_code != 201:
            break
    assert (answer.status_code, answer.json["code"]) == (503, "disk_full")
    assert "磁盘" in answer.json["detail"]
    english = kiosk.post("/tickets", {"queue": "A"}, Idempotency_Key="late", Accept_Language="en")
    assert "disk is full" in english.json["detail"]
    given = int(house.caller("manager").get("/day").json["issued"])
    house.hall._store.write(lambda unit: unit.connection.raw.execute(limit.format(1_073_741_823)))
    assert kiosk.post("/tickets", {"queue": "A"}, Idempotency_Key="late").json["number"] == f"A{given + 1:03d}"
