"""Files that people hand in: tables read, checked row by row, and taken in."""
