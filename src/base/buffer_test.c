#include "base/buffer.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void bytes_come_out_as_they_went_in(void **state)
{
	struct buffer b = { 0 };
	char expected = 0, next = 0;

	for (int round = 0; round < 5000; round++) {
		for (int i = 0; i < round % 97; i++, next++)
			buffer_append(&b, &next, 1);
		for (int i = 0; i < round % 89 && buffer_len(&b); i++, expected++) {
			assert_int_equal(*buffer_data(&b), expected);
			buffer_consume(&b, 1);
		}
	}
	buffer_finish(&b);
}

static void an_empty_buffer_holds_no_memory(void **state)
{
	struct buffer b = { 0 };

	buffer_printf(&b, "%d bottles", 99);
	assert_int_equal(buffer_len(&b), 10);
	buffer_consume(&b, 10);
	assert_null(b.memory);
}

static void xml_is_escaped(void **state)
{
	struct buffer b = { 0 };
	char *text;

	buffer_append_xml(&b, slice_of("a<b> & 'c' \"d\"\n"));
	text = buffer_take_text(&b);
	assert_string_equal(text, "a&lt;b&gt; &amp; &apos;c&apos; &quot;d&quot;&#10;");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_come_out_as_they_went_in),
		cmocka_unit_test(an_empty_buffer_holds_no_memory),
		cmocka_unit_test(xml_is_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
