from tonearm.run.part import owner_of


def test_temporaries_of_shards_differ():
    owners = [owner_of((part, parts)) for parts in (1, 2, 3, 64, 65, 300) for part in range(1, parts + 1)]
    assert len(set(owners)) == len(owners)
    assert owner_of(None) not in owners
    assert all(len(owner_id) == 4 for owner_id in owners)
    huge = [owner_of((part, 5000)) for part in range(1, 5001)]
    assert len(set(huge)) == 5000
