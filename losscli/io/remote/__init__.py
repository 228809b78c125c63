"""Files that live elsewhere: objects of S3, Google Cloud Storage and Azure, and files of web servers, read by ranges."""
