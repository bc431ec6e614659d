"""x"""
from handrail.sdk import *
def test_first(served, client, task):
    a = task.propose("kb.search", query="return", wait=5)
    print(a)
    b = task.propose("coupon.send", customer="C-1001", amount="12.5 USD", lines=[{"a": 1}])
    print(b, b.permit)
    print(task.receipt(b.id, b.permit, "done", result={"x": 1}))
    c = task.propose("coupon.large", customer="C-1001", amount="12.5 USD", wait=0.5)
    print(c)
    served.review(c.id, "approve")
    print(task.claim(c.id))
    print(served.counts())
