"""What LED strips of different makers have in common: words, font, the way they are told and the way they answer."""
