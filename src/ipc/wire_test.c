#include "ipc/wire.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void put_sample(struct buffer *out)
{
	wire_put_u8(out, 0xfe);
	wire_put_u16(out, 0x1234);
	wire_put_u32(out, 0xdeadbeef);
	wire_put_u64(out, 0x0123456789abcdefu);
	wire_put_slice(out, (struct slice){ "a\0b", 3 });
	wire_put_text(out, "text");
	wire_put_text(out, NULL);
}

static void what_is_put_comes_out(void **state)
{
	struct buffer out = { 0 };
	struct wire in;
	char *text;

	put_sample(&out);
	in = wire_read((struct slice){ buffer_data(&out), buffer_len(&out) });
	assert_int_equal(wire_get_u8(&in), 0xfe);
	assert_int_equal(wire_get_u16(&in), 0x1234);
	assert_int_equal(wire_get_u32(&in), 0xdeadbeef);
	assert_true(wire_get_u64(&in) == 0x0123456789abcdefu);
	assert_true(slice_equals(wire_get_slice(&in), (struct slice){ "a\0b", 3 }));
	text = wire_get_text(&in, 4);
	assert_string_equal(text, "text");
	free(text);
	assert_false(wire_is_done(&in));
	assert_int_equal(wire_get_slice(&in).len, 0);
	assert_true(wire_is_done(&in));
	buffer_finish(&out);
}

static void bytes_broken_off_anywhere_fail_and_stay_failed(void **state)
{
	struct buffer out = { 0 };
	size_t len;

	put_sample(&out);
	len = buffer_len(&out);
	for (size_t cut = 0; cut < len; cut++) {
		char *exact = xmalloc(cut + 1); /* its own block: a sanitizer sees any overrun */
		struct wire in = wire_read((struct slice){ exact, cut });

		memcpy(exact, buffer_data(&out), cut);
		wire_get_u8(&in);
		wire_get_u16(&in);
		wire_get_u32(&in);
		wire_get_u64(&in);
		wire_get_slice(&in);
		free(wire_get_text(&in, 100));
		wire_get_slice(&in);
		assert_true(in.failed);
		assert_int_equal(wire_get_u8(&in), 0);
		assert_true(in.failed);
		assert_false(wire_is_done(&in));
		free(exact);
	}
	buffer_finish(&out);
}

static void a_text_keeps_its_limit_and_has_no_nul(void **state)
{
	static const struct {
		struct slice bytes;
		size_t max;
		bool good;
	} rows[] = {
		{ { "abc", 3 }, 3, true },
		{ { "abc", 3 }, 2, false },
		{ { "a\0c", 3 }, 3, false },
		{ { "", 0 }, 0, true },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct buffer out = { 0 };
		struct wire in;

		wire_put_slice(&out, rows[i].bytes);
		in = wire_read((struct slice){ buffer_data(&out), buffer_len(&out) });
		free(wire_get_text(&in, rows[i].max));
		assert_int_equal(!in.failed, rows[i].good);
		buffer_finish(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_put_comes_out),
		cmocka_unit_test(bytes_broken_off_anywhere_fail_and_stay_failed),
		cmocka_unit_test(a_text_keeps_its_limit_and_has_no_nul),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
