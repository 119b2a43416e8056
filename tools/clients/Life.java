import java.util.List;
import java.util.UUID;
import orders.ApiClient;
import orders.ApiException;
import orders.api.AuthApi;
import orders.api.CatalogueApi;
import orders.api.OrdersApi;
import orders.model.*;

/** An order's life by the client that openapi-generator makes of the document. See life.py and life.go. */
class Life {
  static final String PASSWORD = "correct-horse-battery-staple";

  static String key() {
    return UUID.randomUUID().toString();
  }

  static ApiClient client(String token) {
    ApiClient client = new ApiClient().setBasePath(System.getenv("API_URL"));
    if (token != null) client.setBearerToken(token);
    return client;
  }

  static ApiClient signIn(String email, String password) throws ApiException {
    LoginRequest request = new LoginRequest().email(email).password(password);
    return client(new AuthApi(client(null)).login(request).getData().getAccessToken());
  }

  static void expect(Object actual, Object expected) {
    if (!expected.equals(actual)) throw new AssertionError("expected " + expected + ", got " + actual);
  }

  public static void main(String[] args) throws Exception {
    try {
      live();
    } catch (ApiException error) {
      System.err.println(error.getResponseBody());
      throw error;
    }
  }

  static void live() throws Exception {
    String name = "generated-java-" + key();
    String email = name + "@example.com";
    RegisterRequest registration = new RegisterRequest().email(email).password(PASSWORD).name("Ada");
    String token = new AuthApi(client(null)).register(registration).getData().getAccessToken();
    ApiClient admin = signIn("admin@example.com", System.getenv("DEMO_PASSWORD"));

    // A price that 32 bits cannot hold.
    String product = new CatalogueApi(admin)
      .createProductService(new CreateProductServiceRequest().sku(name).name("Ship").kind(ProductKind.PRODUCT)
        .unitPrice(3_000_000_000L).currency(Currency.EUR).stock(3))
      .getData().getId();
    OrdersApi orders = new OrdersApi(client(token));
    OrdersApi backOffice = new OrdersApi(admin);
    OrderLine two = new OrderLine().productServiceId(product).quantity(2);
    OrderLine one = new OrderLine().productServiceId(product).quantity(1);

    String first = key();
    PlaceOrderRequest request =
      new PlaceOrderRequest().addItemsItem(two).paymentMethod("pm_card_visa").note("Ring twice");
    Order order = orders.placeOrder(first, request, null).getData();
    expect(order.getStatus(), OrderStatus.CONFIRMED);
    expect(order.getTotal(), 6_000_000_000L);
    expect(orders.placeOrder(first, request, null).getData().getId(), order.getId());
    expect(orders.getOrder(order.getId(), null, null).getData().getNote(), "Ring twice");

    Order fulfilled = backOffice
      .fulfillOrder(order.getId(), key(), new FulfillOrderRequest().addItemsItem(two), null).getData();
    expect(fulfilled.getFulfillmentStatus(), FulfillmentStatus.FULFILLED);
    expect(fulfilled.getCaptured(), 6_000_000_000L);
    RefundOrderRequest half = new RefundOrderRequest().amount(3_000_000_000L).reason("Too large");
    Order refunded = backOffice.refundOrder(order.getId(), key(), half, null).getData();
    expect(refunded.getPaymentStatus(), PaymentStatus.PARTIALLY_REFUNDED);
    expect(refunded.getRefunded(), 3_000_000_000L);

    PlaceOrderRequest small = new PlaceOrderRequest().addItemsItem(one).paymentMethod("pm_card_visa");
    String other = orders.placeOrder(key(), small, null).getData().getId();
    CancelOrderRequest reason = new CancelOrderRequest().reason("Changed my mind");
    expect(orders.cancelOrder(other, null, null, reason).getData().getStatus(), OrderStatus.CANCELLED);

    OrderPage page = list(orders, null);
    expect(page.getData().get(0).getId(), other);
    expect(list(orders, page.getMeta().getPage().getNextCursor()).getData().get(0).getId(), order.getId());

    try {
      orders.getOrder("ord_" + "0".repeat(32), null, null);
    } catch (ApiException error) {
      expect(Problem.fromJson(error.getResponseBody()).getCode(), ErrorCode.NOT_FOUND);
      return;
    }
    throw new AssertionError("an order that does not exist was found");
  }

  static OrderPage list(OrdersApi orders, String cursor) throws ApiException {
    return orders.listOrders(1, cursor, null, null, null, null, null, null, null, null, null, null, null, null,
      null, null, null);
  }
}
