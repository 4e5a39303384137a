"""What a question is answered with. Pure; read respond.py first."""
