"""What the parts can do without Lockstep: pymysql, py-amqp and PyMongo, with the same durability.

Each insert is committed, each message persistent, confirmed and in a quorum queue, each document written with
majority and journal, in a collection with the copy's indexes.
"""
