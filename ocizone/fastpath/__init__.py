"""The optional fast path: what ``answer.respond`` says, said again without composing it.

``memo`` keeps whole replies to questions that come again, ``fastzone`` writes replies to plain
questions from templates it learned of ``respond``; whatever they are not sure of they leave to
``respond``. ``port`` is one reader on the reactor that takes and sends datagrams in batches
(recvmmsg(2), sendmmsg(2)). Law (tests): a fast reply is the reply of ``respond``, octet for octet.
The server serves the same without this folder, only slower.
"""
