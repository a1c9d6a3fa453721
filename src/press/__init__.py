"""What makes the book from chapters: what depends on what, executing, the site, publishing."""
