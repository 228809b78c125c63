"""One question about losses per file or package: checking, comparing, ranking, calibrating, verifying, and others."""
