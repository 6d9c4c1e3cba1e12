"""Every word a spec can use, one declaration each."""
