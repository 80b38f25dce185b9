/*
 * One payment from C: an engine in memory, an order to be paid by QR code, a payer, and the end of it.
 *
 *   cc -I ../include main.c -L ../../../target/debug -lpaycore_ffi -o payment
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "paycore.h"

/* Calls an operation and returns a copy of its answer as text, to be freed by the caller. */
static char *call(uint64_t engine, const char *request)
{
    size_t length = 0;
    const uint8_t *answer = paycore_call(engine, (const uint8_t *)request, strlen(request), &length);
    char *text = malloc(length + 1);
    if (text == NULL)
        exit(1);
    memcpy(text, answer, length);
    text[length] = '\0';
    paycore_free(answer, length);
    return text;
}

/* Copies the first text member of this name out of a JSON text. A real program uses its JSON library. */
static int member(const char *json, const char *name, char *value, size_t size)
{
    char pattern[64];
    const char *start, *end;
    snprintf(pattern, sizeof pattern, "\"%s\":\"", name);
    start = strstr(json, pattern);
    if (start == NULL)
        return 0;
    start += strlen(pattern);
    end = strchr(start, '"');
    if (end == NULL || (size_t)(end - start) >= size)
        return 0;
    memcpy(value, start, (size_t)(end - start));
    value[end - start] = '\0';
    return 1;
}

int main(void)
{
    char request[1024], id[64], qr[512], status[32];
    const char *config = "{\"store\": \"memory\"}";
    char *answer;
    uint64_t engine;

    if (paycore_abi() != PAYCORE_ABI) {
        fprintf(stderr, "the library speaks another version of this interface\n");
        return 1;
    }
    engine = paycore_open((const uint8_t *)config, strlen(config));
    if (engine == 0) {
        answer = call(0, "{\"op\": \"merchants.me\"}");
        fprintf(stderr, "%s\n", answer);
        free(answer);
        return 1;
    }

    answer = call(engine, "{\"op\": \"orders.create\", \"idempotency_key\": \"order-1\", \"input\": {\"amount\": 1234,"
                          " \"currency\": \"CNY\", \"subject\": \"Tea\", \"method\": \"alipay.qr\"}}");
    if (!member(answer, "id", id, sizeof id) || !member(answer, "content", qr, sizeof qr)) {
        fprintf(stderr, "%s\n", answer);
        return 1;
    }
    free(answer);
    printf("%s is to be paid at %s\n", id, qr);

    /* In the sandbox the payer is us: this is the "pay" button of the page behind the QR code. */
    snprintf(request, sizeof request,
             "{\"op\": \"http.receive\", \"input\": {\"method\": \"POST\", \"url\": \"%s/pay\"}}", qr);
    free(call(engine, request));

    /* The provider's notification arrives by itself; real programs listen to webhooks instead of asking. */
    snprintf(request, sizeof request, "{\"op\": \"orders.retrieve\", \"input\": {\"id\": \"%s\"}}", id);
    do {
        answer = call(engine, request);
        if (!member(answer, "status", status, sizeof status)) {
            fprintf(stderr, "%s\n", answer);
            return 1;
        }
        free(answer);
    } while (strcmp(status, "pending") == 0);
    printf("%s is %s\n", id, status);

    return paycore_close(engine) == 0 && strcmp(status, "succeeded") == 0 ? 0 : 1;
}
