"""Training jobs: /v1/jobs, the queue, and the transactions that change a job."""
