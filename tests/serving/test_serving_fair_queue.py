"""Turns: nobody waits for a client that asks for more, and nothing is lost or taken twice."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from affekt.serving.fair_queue import QUANTUM, FairQueue, Job


def job(client: str, *costs: int) -> Job[int]:
    return Job(client, list(range(len(costs))), list(costs))


def test_clients_take_turns() -> None:
    queue: FairQueue[int] = FairQueue()
    queue.push(job("greedy", *[QUANTUM] * 100))
    queue.push(job("modest", 10))
    queue.push(job("other", 10, 10))
    first = [owner.client for owner, _ in queue.take(4 * QUANTUM)]
    assert first[:4] == ["greedy", "modest", "other", "other"]


def test_a_client_with_many_requests_is_one_client() -> None:
    queue: FairQueue[int] = FairQueue()
    for _ in range(50):
        queue.push(job("greedy", QUANTUM))
    queue.push(job("modest", QUANTUM))
    assert {owner.client for owner, _ in queue.take(2 * QUANTUM)} == {"greedy", "modest"}


def test_an_item_larger_than_the_budget_goes_alone() -> None:
    queue: FairQueue[int] = FairQueue()
    queue.push(job("a", 1000))
    queue.push(job("b", 1000))
    assert len(queue.take(100)) == 1
    assert len(queue.take(100)) == 1
    assert queue.take(100) == []


def test_like_lengths_go_together() -> None:
    queue: FairQueue[int] = FairQueue()
    queue.push(job("a", 5, 60, 5, 60, 5, 60))
    taken = queue.take(180)
    assert [owner.costs[position] for owner, position in taken] == [60, 60, 60]


def test_what_is_dropped_costs_nothing() -> None:
    queue: FairQueue[int] = FairQueue()
    gone, stays = job("a", 10, 10), job("a", 5)
    queue.push(gone)
    queue.push(stays)
    queue.drop(gone)
    queue.drop(gone)
    assert (queue.total, len(queue), queue.backlog("a")) == (5, 1, 5)
    assert [owner for owner, _ in queue.take(100)] == [stays]
    assert (queue.total, len(queue), queue.clients) == (0, 0, 0)


def test_nothing_to_take_from_nothing() -> None:
    queue: FairQueue[int] = FairQueue()
    queue.push(job("a"))
    assert queue.take(10) == []
    assert queue.clients == 0


jobs = st.tuples(st.sampled_from("abcd"), st.lists(st.integers(1, 200), max_size=12), st.booleans())


@given(st.lists(jobs, max_size=12), st.integers(1, 300))
def test_every_item_is_taken_once_within_the_budget(given: list[tuple[str, list[int], bool]], budget: int) -> None:
    queue: FairQueue[int] = FairQueue()
    kept = []
    for client, costs, drop in given:
        made = job(client, *costs)
        queue.push(made)
        if drop:
            queue.drop(made)
        else:
            kept.append(made)
    assert queue.total == sum(sum(made.costs) for made in kept)
    seen: Counter[tuple[int, int]] = Counter()
    while batch := queue.take(budget):
        tokens = sum(owner.costs[position] for owner, position in batch)
        assert tokens <= budget or len(batch) == 1
        seen.update((id(owner), position) for owner, position in batch)
    assert seen == Counter((id(made), position) for made in kept for position in range(len(made.items)))
    assert (queue.total, len(queue), queue.clients) == (0, 0, 0)


@given(st.integers(2, 6), st.integers(1, 40))
def test_a_newcomer_is_served_within_one_round(clients: int, backlog: int) -> None:
    queue: FairQueue[int] = FairQueue()
    for number in range(clients):
        queue.push(job(f"c{number}", *[20] * backlog))
    queue.push(job("new", 20))
    round_of_all = clients * (QUANTUM + 20) + 20
    assert "new" in {owner.client for owner, _ in queue.take(round_of_all)}
