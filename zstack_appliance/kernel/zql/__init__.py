"""ZQL, ZStack's query language: text to tokens (lexer.py), to statements (parser.py), to answers (run.py)."""
