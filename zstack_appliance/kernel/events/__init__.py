"""Events: what changes, told as it happens to whoever may see it, and told again to whoever comes back.

The way of an event: a commit's changes (`store/feed.py`) become happenings (`happening.py`), which also say what
shows in another row's inventory and what was shared or taken back; a topic (`topic.py`, `linked.py`) decides
for all its subscribers at once whether a happening concerns them and as what (`sight.py`, `matching.py`);
each subscriber has a bounded backlog (`subscriber.py`). Whoever resumes gets the same from the change log
(`replay.py`). `Events` in `service.py` puts it together.
"""
