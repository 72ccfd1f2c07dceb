"""Code for Ray clusters: a job with its workers, and a check of the nodes. Other packages do not import it."""
