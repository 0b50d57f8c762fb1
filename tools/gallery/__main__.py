"""`python -m tools.gallery`."""

from tools.gallery.make import main

if __name__ == "__main__":
    main()
