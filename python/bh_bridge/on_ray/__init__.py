"""What runs on a Ray cluster: a job with its workers, and a look at the nodes. Nothing else imports it."""
