"""What the parts cost without Lockstep: plain Flask views, PyMySQL, py-amqp and PyMongo, with the same durability.

Nothing here imports Lockstep's code. Each insert is committed, each message persistent, confirmed and in a quorum
queue, each document written with majority and journal.
"""
