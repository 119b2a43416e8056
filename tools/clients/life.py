"""An order's life by the client that openapi-generator makes of the document. See life.go and Life.java."""

import os
import uuid

import orders as api

PASSWORD = "correct-horse-battery-staple"
URL = os.environ["API_URL"]
key = lambda: str(uuid.uuid4())


def client(token=None):
    return api.ApiClient(api.Configuration(host=URL, access_token=token))


def expect(actual, expected):
    if actual != expected:
        raise AssertionError(f"expected {expected!r}, got {actual!r}")


name = f"generated-python-{key()}"
registration = api.RegisterRequest(email=f"{name}@example.com", password=PASSWORD, name="Ada")
session = api.AuthApi(client()).register(registration).data
admin = client(
    api.AuthApi(client())
    .login(api.LoginRequest(email="admin@example.com", password=os.environ["DEMO_PASSWORD"]))
    .data.access_token
)

# A price that 32 bits cannot hold.
product = (
    api.CatalogueApi(admin)
    .create_product_service(
        api.CreateProductServiceRequest(
            sku=name, name="Ship", kind="product", unitPrice=3_000_000_000, currency="EUR", stock=3
        )
    )
    .data
)
orders = api.OrdersApi(client(session.access_token))
back_office = api.OrdersApi(admin)


def line(quantity):
    return api.OrderLine(productServiceId=product.id, quantity=quantity)


first, request = key(), api.PlaceOrderRequest(items=[line(2)], paymentMethod="pm_card_visa", note="Ring twice")
order = orders.place_order(first, request).data
expect((order.status, order.total), ("confirmed", 6_000_000_000))
expect(orders.place_order(first, request).data.id, order.id)
expect(orders.get_order(order.id).data.note, "Ring twice")

fulfilled = back_office.fulfill_order(order.id, key(), api.FulfillOrderRequest(items=[line(2)])).data
expect((fulfilled.fulfillment_status, fulfilled.captured), ("fulfilled", 6_000_000_000))
refunded = back_office.refund_order(
    order.id, key(), api.RefundOrderRequest(amount=3_000_000_000, reason="Too large")
).data
expect((refunded.payment_status, refunded.refunded), ("partially_refunded", 3_000_000_000))

other = orders.place_order(key(), api.PlaceOrderRequest(items=[line(1)], paymentMethod="pm_card_visa")).data
cancelled = orders.cancel_order(other.id, cancel_order_request=api.CancelOrderRequest(reason="Changed my mind")).data
expect((cancelled.status, cancelled.payment_status), ("cancelled", "voided"))

page = orders.list_orders(limit=1)
expect([each.id for each in page.data], [other.id])
rest = orders.list_orders(limit=1, cursor=page.meta.page.next_cursor)
expect([each.id for each in rest.data], [order.id])
expect([each.id for each in orders.list_orders(status=["cancelled"]).data], [other.id])

try:
    orders.get_order("ord_" + "0" * 32)
    raise AssertionError("an order that does not exist was found")
except api.exceptions.NotFoundException as error:
    expect(api.Problem.from_json(error.body).code, api.ErrorCode.NOT_FOUND)
