"""Tells people what they can do something about: rules over facts, and delivery through Apprise.

``settings`` what is configured · ``rules`` facts → what is wrong now (pure) · ``outbox`` that → few messages
(pure) · ``words`` how they read · ``targets`` the only file that knows Apprise · ``deliver`` queues
and retries · ``service`` a thread that runs all of it.
"""
