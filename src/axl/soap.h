/*
 * SOAP 1.1 as AXL uses it (schema 9.1 to 14.0), both directions: envelopes of executeSQLQuery and
 * executeSQLUpdate, their responses, and faults. Read with libexpat in namespace mode, without
 * DTD, within limits; written byte for byte in the published form, only the operation's element
 * namespaced. No I/O.
 */
#ifndef AXL_SOAP_H
#define AXL_SOAP_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stdint.h>

#define SOAP_BYTES ((size_t)4 << 20)
#define SOAP_ROWS_MAX 100000
#define SOAP_COLUMNS_MAX 64
#define SOAP_VERSION_BYTES 15

extern const char
	*const axl_versions[]; /* "14.0", "12.5", "11.5", "9.1"; newest first, NULL ends */

enum axl_operation { AXL_QUERY, AXL_UPDATE };
const char *axl_operation_name(enum axl_operation operation); /* "executeSQLQuery", ... */

struct axl_request {
	enum axl_operation operation;
	char version[SOAP_VERSION_BYTES + 1]; /* of its namespace */
	bool has_sequence;
	uint64_t sequence;
	char *sql;
};
/* False: *why says what is wrong with the envelope; `version` is filled if it was seen. */
bool axl_request_read(struct slice body, struct axl_request *request, const char **why);
void axl_request_write(struct buffer *out, const struct axl_request *request);
void axl_request_finish(struct axl_request *request);

struct axl_rows {
	size_t columns, count;
	char **names; /* of columns, as the query gives them */
	char **cells; /* count * columns; NULL: no such element in that row */
};
void axl_rows_finish(struct axl_rows *rows);

struct axl_fault {
	int code; /* axlcode: an Informix number, or 0 */
	char *message;
};

struct axl_response {
	enum axl_operation operation;
	bool is_fault;
	struct axl_rows rows;  /* of QUERY */
	uint64_t rows_updated; /* of UPDATE */
	struct axl_fault
		fault; /* code from axlError, in any or no namespace; else the faultstring */
};
/* False: not a SOAP response; *why. */
bool axl_response_read(struct slice body, struct axl_response *response, const char **why);
void axl_response_finish(struct axl_response *response);
/* In the version and with the sequence of the request. */
void axl_write_rows(struct buffer *out, const struct axl_request *request,
		    const struct axl_rows *rows);
void axl_write_updated(struct buffer *out, const struct axl_request *request, uint64_t count);
/* `operation` NULL: it could not be read. */
void axl_write_fault(struct buffer *out, bool clients, const struct axl_fault *fault,
		     const char *operation);

#endif
