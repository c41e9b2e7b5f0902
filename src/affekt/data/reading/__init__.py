"""From files of any kind to rows and columns of cells."""
