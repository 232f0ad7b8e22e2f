"""The worker process: takes jobs from the queue and trains each in a process of its own (`python -m app.worker`)."""
