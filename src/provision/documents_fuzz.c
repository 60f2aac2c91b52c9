#include "provision/documents.h"

#include "provision/json_lines.h"

#include <stdlib.h>

static const char *const roles[][2] = {
	{ "core", "edge" },
	{ "edge", "core" },
	{ "home", "core" },
};

static void take(void *arg, const char *edge, const char *fingerprint)
{
	if (strchr(edge, ' ') || strchr(fingerprint, ' '))
		abort();
}

/* Whatever a node tells: words that begin as they should and have no line ends, or why not. */
static void read_document(const json_t *document)
{
	for (size_t i = 0; i < 3; i++) {
		const char *why = NULL;
		char **words = document_read(document, roles[i][0], "node", roles[i][1], 1, &why);

		if (words ? strcmp(words[1], "node") != 0 : !why)
			abort();
		for (char **word = words; word && *word; word++) {
			if (strpbrk(*word, "\r\n\t"))
				abort();
		}
		document_free_words(words);
	}
	document_each_secret(document, take, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_lines lines = { 0 };
	const char *why;
	json_t *document;

	buffer_append(&lines.bytes, data, size);
	buffer_append(&lines.bytes, "\n", 1);
	while (json_lines_next(&lines, 65536, &document, &why) == JSON_LINES_OBJECT) {
		read_document(document);
		json_decref(document);
	}
	json_lines_finish(&lines);
	return 0;
}
