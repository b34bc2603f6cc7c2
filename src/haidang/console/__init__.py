"""The console: a Django project in which a team of analysts works, one app per word of the record.

- ``people``: who may do what; ``units``: the tree of units, their contacts and assets; ``sources``: where
  logs come from; ``alerts``, ``rules``; ``audit``: who did and looked at what; ``api``: the same over REST.
- ``look``: what all pages share: layout, style, scripts.
- An app's models are asked through its ``visible_to(user)``: what a person may not see is not in the answer.

It is a shell around the library: nothing outside of this package imports Django.
"""
