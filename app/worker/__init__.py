"""The worker: takes jobs from the queue and trains, each in a process of its own. `python -m app.worker` is one."""
