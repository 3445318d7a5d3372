"""The few lines that refuse who does not come through the distribution."""

import importlib.util
import os
import unittest

from site_stack import ROOT


class GuardTest(unittest.TestCase):
    def test_only_the_secret_is_let_in(self):
        spec = importlib.util.spec_from_file_location("origin_guard", ROOT / "deploy" / "terraform" / "origin_guard.py")
        guard = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(guard)
        os.environ["SECRET"] = "right"
        self.addCleanup(os.environ.pop, "SECRET")
        for headers, wanted in [
            ({"x-handstamp-origin": "right"}, True),
            ({"x-handstamp-origin": "wrong"}, False),
            ({"x-handstamp-origin": "right,right"}, False),  # as two headers of one name arrive
            ({"x-handstamp-origin": ""}, False),
            ({"x-handstamp-origin": "r\u00efght"}, False),
            ({}, False),
            (None, False),
        ]:
            got = guard.handler({"version": "2.0", "headers": headers}, None)
            self.assertEqual({"isAuthorized": wanted}, got, headers)


if __name__ == "__main__":
    unittest.main()
