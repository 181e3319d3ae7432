"""The HTTP view, tried on a real server over a real socket."""
