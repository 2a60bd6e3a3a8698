/* Aeron's media driver and client behind five functions, for `src/way/aeron.rs`. Built together with the
 * sources of Aeron into one library, which peer-bench loads at run time. */
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "aeron_driver.h"
#include "aeronc.h"
#include "aeronmd.h"
#include "concurrent/aeron_thread.h"
#include "util/aeron_clock.h"
#include "util/aeron_error.h"

/* Half a term may be in flight before the driver polls: enough for all messages of a turn. The default of
 * 64 MiB is not faster, and takes memory. */
#define CHANNEL "aeron:ipc?term-length=1m"
/* Messages do not pass through the driver, so it sleeps between polls, and leaves the cores to the
 * contestants. */
#define DRIVER_SLEEP "1ms"
/* The timeout for the other side. */
#define PATIENCE_NS (INT64_C(10) * 1000 * 1000 * 1000)

typedef struct {
    aeron_driver_context_t *driver_context;
    aeron_driver_t *driver;
    aeron_context_t *context;
    aeron_t *client;
    aeron_subscription_t *subscription;
    aeron_exclusive_publication_t *publication;
    aeron_image_t *image;
} bench_link;

/* The last error of this thread. */
const char *bench_failure(void) {
    return aeron_errmsg();
}

/* The end of the driver after a contest is not an error; all others are returned by calls. */
static void ignore(void *context, int code, const char *message) {
    (void)context;
    (void)code;
    (void)message;
}

static int start_driver(bench_link *link, const char *folder) {
    aeron_driver_context_t **context = &link->driver_context;
    if (aeron_driver_context_init(context) < 0 || aeron_driver_context_set_dir(*context, folder) < 0 ||
        aeron_driver_context_set_dir_warn_if_exists(*context, false) < 0 ||
        aeron_driver_context_set_dir_delete_on_shutdown(*context, true) < 0 ||
        aeron_driver_context_set_threading_mode(*context, AERON_THREADING_MODE_SHARED) < 0 ||
        /* Set first, because the idle strategy is created with the arguments set so far. */
        aeron_driver_context_set_shared_idle_strategy_init_args(*context, DRIVER_SLEEP) < 0 ||
        aeron_driver_context_set_shared_idle_strategy(*context, "sleep-ns") < 0) {
        return -1;
    }
    if (aeron_driver_init(&link->driver, *context) < 0) {
        return -1;
    }
    return aeron_driver_start(link->driver, false);
}

static int connect_client(bench_link *link, const char *folder, int32_t there, int32_t back) {
    aeron_async_add_subscription_t *subscribing = NULL;
    aeron_async_add_exclusive_publication_t *publishing = NULL;
    int64_t deadline = aeron_nano_clock() + PATIENCE_NS;
    if (aeron_context_init(&link->context) < 0 || aeron_context_set_dir(link->context, folder) < 0 ||
        aeron_context_set_error_handler(link->context, ignore, NULL) < 0 ||
        aeron_init(&link->client, link->context) < 0 || aeron_start(link->client) < 0 ||
        aeron_async_add_subscription(&subscribing, link->client, CHANNEL, back, NULL, NULL, NULL, NULL) < 0 ||
        aeron_async_add_exclusive_publication(&publishing, link->client, CHANNEL, there) < 0) {
        return -1;
    }
    while (link->subscription == NULL || link->publication == NULL || link->image == NULL) {
        if (link->subscription == NULL &&
            aeron_async_add_subscription_poll(&link->subscription, subscribing) < 0) {
            return -1;
        }
        if (link->publication == NULL &&
            aeron_async_add_exclusive_publication_poll(&link->publication, publishing) < 0) {
            return -1;
        }
        if (link->subscription != NULL) {
            link->image = aeron_subscription_image_at_index(link->subscription, 0);
        }
        if (aeron_nano_clock() > deadline) {
            AERON_SET_ERR(ETIMEDOUT, "%s", "the other side has not come");
            return -1;
        }
        sched_yield();
    }
    return 0;
}

void bench_close(bench_link *link) {
    if (link->image != NULL) {
        aeron_subscription_image_release(link->subscription, link->image);
    }
    /* Closes the publications and subscriptions of the client, too. */
    aeron_close(link->client);
    aeron_context_close(link->context);
    aeron_driver_close(link->driver);
    aeron_driver_context_close(link->driver_context);
    free(link);
}

/* Opens one side, after the media driver if this side runs it. Returns NULL on failure. */
bench_link *bench_open(const char *folder, int32_t there, int32_t back, bool has_driver) {
    bench_link *link = calloc(1, sizeof *link);
    if (link == NULL) {
        return NULL;
    }
    if ((has_driver && start_driver(link, folder) < 0) || connect_client(link, folder, there, back) < 0) {
        /* Not closed, because that would overwrite the error; the process ends soon. */
        return NULL;
    }
    return link;
}

/* Publishes a message as soon as there is room. Returns false if there never is. */
bool bench_send(bench_link *link, const uint8_t *bytes, size_t length) {
    int64_t position;
    while ((position = aeron_exclusive_publication_offer(link->publication, bytes, length, NULL, NULL)) < 0) {
        if (position == AERON_PUBLICATION_CLOSED || position == AERON_PUBLICATION_ERROR) {
            return false;
        }
        proc_yield();
    }
    return true;
}

/* Polls until a message arrives, and passes it to `look`. Returns false if none arrives. */
bool bench_receive(bench_link *link, aeron_fragment_handler_t look, void *context) {
    int seen;
    while ((seen = aeron_image_poll(link->image, look, context, 1)) == 0) {
        if (aeron_image_is_closed(link->image)) {
            return false;
        }
        proc_yield();
    }
    return seen > 0;
}
