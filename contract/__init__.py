"""What both services share: names, messages, versions, digests, queues, publishing. Imports neither service."""
