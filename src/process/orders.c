#include "process/orders.h"

#include "admin/asks.h"
#include "base/alloc.h"
#include "ipc/wire.h"

#include <openssl/crypto.h>
#include <stdlib.h>

struct order {
	struct order *next;
	uint64_t number, tag;
	order_fn *answered;
	void *arg;
};

struct orders {
	struct asks *asks;
	struct order *open;
	uint64_t numbers;
};

static struct order *take_out(struct orders *orders, uint64_t number)
{
	struct order **at = &orders->open, *order;

	while (*at && (*at)->number != number)
		at = &(*at)->next;
	order = *at;
	if (order)
		*at = order->next;
	return order;
}

static void on_answer(void *arg, uint64_t number, const struct ask_answer *answer)
{
	struct orders *orders = arg;
	struct order *order = take_out(orders, number);
	struct wire in = wire_read(answer->body);
	uint8_t status = wire_get_u8(&in);
	struct slice body = wire_get_slice(&in);
	char *text;

	if (!order)
		return;
	if (answer->why)
		text = xasprintf("control %s", answer->why);
	else if (!wire_is_done(&in))
		text = xstrdup("control answers what cannot be read");
	else
		text = xstrndup(body.data, body.len);
	order->answered(order->arg, order->tag, !answer->why && wire_is_done(&in) && !status, text);
	free(text);
	free(order);
}

struct orders *orders_create(struct loop *loop)
{
	struct orders *orders = xcalloc(1, sizeof(*orders));

	orders->asks = asks_create(loop, on_answer, orders);
	return orders;
}

void orders_destroy(struct orders **orders_ref)
{
	struct orders *orders = *orders_ref;

	if (!orders)
		return;
	*orders_ref = NULL;
	asks_destroy(&orders->asks);
	while (orders->open)
		free(take_out(orders, orders->open->number));
	free(orders);
}

void orders_reach(struct orders *orders, struct messenger *control)
{
	asks_reach(orders->asks, PROCESS_CONTROL, control);
}

void orders_take(struct orders *orders, const struct message *message)
{
	asks_take(orders->asks, PROCESS_CONTROL, message);
}

void orders_send(struct orders *orders, const char *author, const char *const *words, uint64_t tag,
		 order_fn *answered, void *arg)
{
	struct order *order = xcalloc(1, sizeof(*order));
	struct buffer body = { 0 };
	size_t count = 0;

	while (words[count])
		count++;
	*order = (struct order){ orders->open, ++orders->numbers, tag, answered, arg };
	orders->open = order;
	wire_put_u16(&body, (uint16_t)(count + 1));
	wire_put_text(&body, words[0]);
	wire_put_text(&body, author);
	for (size_t i = 1; i < count; i++)
		wire_put_text(&body, words[i]);
	asks_send(orders->asks, PROCESS_CONTROL, MESSAGE_CONFIG,
		  (struct slice){ buffer_data(&body), buffer_len(&body) }, ORDERS_TIMEOUT_MS,
		  order->number);
	OPENSSL_cleanse(buffer_data(&body), buffer_len(&body)); /* a password may be in it */
	buffer_finish(&body);
}
