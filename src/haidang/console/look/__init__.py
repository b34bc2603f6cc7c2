"""What all pages share: layout, style, scripts, words."""
