"""The bare limits: pymysql, py-amqp and PyMongo without Lockstep, with the same durability.

Each insert is committed, each message persistent, confirmed and in a quorum queue, each document written with
majority and journal, in a collection with the copy's indexes.
"""
