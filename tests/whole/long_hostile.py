"""tests/whole/test_hostile.py with more of everything."""
import os
import runpy

os.environ["FERRY_HOSTILE_LONG"] = "1"
runpy.run_path(os.path.join(os.path.dirname(os.path.abspath(__file__)), "test_hostile.py"))
