// An order's life by the client that openapi-generator makes of the document. See life.py and Life.java.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"example.com/orders"
)

const password = "correct-horse-battery-staple"

var (
	ctx   = context.Background()
	start = time.Now().UnixNano()
	keys  int
)

func key() string {
	keys++
	return fmt.Sprintf("generated-go-%d-%d", start, keys)
}

func client(token string) *orders.APIClient {
	configuration := orders.NewConfiguration()
	configuration.Servers = orders.ServerConfigurations{{URL: os.Getenv("API_URL")}}
	if token != "" {
		configuration.AddDefaultHeader("Authorization", "Bearer "+token)
	}
	return orders.NewAPIClient(configuration)
}

func must(err error) {
	if err == nil {
		return
	}
	var problem *orders.GenericOpenAPIError
	if errors.As(err, &problem) {
		fmt.Fprintln(os.Stderr, string(problem.Body()))
	}
	panic(err)
}

func expect(actual, expected any) {
	if actual != expected {
		panic(fmt.Sprintf("expected %v, got %v", expected, actual))
	}
}

func signIn(email, secret string) *orders.APIClient {
	session, _, err := client("").AuthAPI.Login(ctx).LoginRequest(*orders.NewLoginRequest(email, secret)).Execute()
	must(err)
	return client(session.Data.AccessToken)
}

func main() {
	name := key()
	email := name + "@example.com"
	session, _, err := client("").AuthAPI.Register(ctx).
		RegisterRequest(*orders.NewRegisterRequest(email, password, "Ada")).Execute()
	must(err)
	customer, admin := client(session.Data.AccessToken), signIn("admin@example.com", os.Getenv("DEMO_PASSWORD"))

	// A price that 32 bits cannot hold.
	entry := orders.NewCreateProductServiceRequest(
		name, "Ship", orders.PRODUCTKIND_PRODUCT, 3_000_000_000, orders.CURRENCY_EUR)
	entry.SetStock(3)
	product, _, err := admin.CatalogueAPI.CreateProductService(ctx).CreateProductServiceRequest(*entry).Execute()
	must(err)
	lines := func(quantity int32) []orders.OrderLine {
		return []orders.OrderLine{*orders.NewOrderLine(product.Data.Id, quantity)}
	}

	first, request := key(), orders.NewPlaceOrderRequest(lines(2), "pm_card_visa")
	request.SetNote("Ring twice")
	order, _, err := customer.OrdersAPI.PlaceOrder(ctx).IdempotencyKey(first).PlaceOrderRequest(*request).Execute()
	must(err)
	id := order.Data.Id
	expect(order.Data.Status, orders.ORDERSTATUS_CONFIRMED)
	expect(*order.Data.Total.Get(), int64(6_000_000_000))
	again, _, err := customer.OrdersAPI.PlaceOrder(ctx).IdempotencyKey(first).PlaceOrderRequest(*request).Execute()
	must(err)
	expect(again.Data.Id, id)
	read, _, err := customer.OrdersAPI.GetOrder(ctx, id).Execute()
	must(err)
	expect(*read.Data.Note.Get(), "Ring twice")

	fulfilled, _, err := admin.OrdersAPI.FulfillOrder(ctx, id).IdempotencyKey(key()).
		FulfillOrderRequest(*orders.NewFulfillOrderRequest(lines(2))).Execute()
	must(err)
	expect(fulfilled.Data.FulfillmentStatus, orders.FULFILLMENTSTATUS_FULFILLED)
	expect(fulfilled.Data.Captured, int64(6_000_000_000))
	refund := orders.NewRefundOrderRequest("Too large")
	refund.SetAmount(3_000_000_000)
	refunded, _, err := admin.OrdersAPI.RefundOrder(ctx, id).IdempotencyKey(key()).RefundOrderRequest(*refund).Execute()
	must(err)
	expect(refunded.Data.PaymentStatus, orders.PAYMENTSTATUS_PARTIALLY_REFUNDED)
	expect(refunded.Data.Refunded, int64(3_000_000_000))

	other, _, err := customer.OrdersAPI.PlaceOrder(ctx).IdempotencyKey(key()).
		PlaceOrderRequest(*orders.NewPlaceOrderRequest(lines(1), "pm_card_visa")).Execute()
	must(err)
	reason := orders.NewCancelOrderRequest()
	reason.SetReason("Changed my mind")
	cancelled, _, err := customer.OrdersAPI.CancelOrder(ctx, other.Data.Id).CancelOrderRequest(*reason).Execute()
	must(err)
	expect(cancelled.Data.Status, orders.ORDERSTATUS_CANCELLED)

	page, _, err := customer.OrdersAPI.ListOrders(ctx).Limit(1).Execute()
	must(err)
	expect(page.Data[0].Id, other.Data.Id)
	rest, _, err := customer.OrdersAPI.ListOrders(ctx).Limit(1).Cursor(*page.Meta.Page.NextCursor.Get()).Execute()
	must(err)
	expect(rest.Data[0].Id, id)

	_, _, err = customer.OrdersAPI.GetOrder(ctx, "ord_"+strings.Repeat("0", 32)).Execute()
	var failure *orders.GenericOpenAPIError
	if !errors.As(err, &failure) {
		panic("an order that does not exist was found")
	}
	var problem orders.Problem
	must(json.Unmarshal(failure.Body(), &problem))
	expect(problem.Code, orders.ERRORCODE_NOT_FOUND)
}
