"""Several processes that answer for one server: ``multisocket N``.

The supervisor (ocizone.app) follows, compiles and is asked about everything; its workers answer.
It tells them one kind of thing, "serve this" (orders), over a pipe of their own (channel), and
they tell it what they serve and what they counted (reports). ``crew`` keeps as many as are wanted
alive, ``spawn`` starts them, ``serving`` is what one does, ``python -m ocizone.workers`` is one.
"""
