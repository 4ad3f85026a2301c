// SPDX-License-Identifier: Apache-2.0
// The headers in C++17: a router, one endpoint that sends to itself.
#include <theater.h>

#include <cstdio>
#include <cstring>

static theater_bytes_t text(const char *from)
{
    return {reinterpret_cast<const uint8_t *>(from), std::strlen(from)};
}

int main()
{
    theater_router_options_t options = THEATER_ROUTER_OPTIONS_INIT;
    theater_router_t *router = nullptr;
    theater_endpoint_t *self = nullptr;
    const theater_message_t *message = nullptr;
    static_assert(THEATER_VERSION_NUM >= 100, "a version");
    if (theater_router_new(&options, &router) != THEATER_OK ||
        theater_router_register(router, "self", 4, nullptr, &self) !=
            THEATER_OK ||
        theater_router_send(router, self, text("self"), text("7")) !=
            THEATER_OK ||
        theater_endpoint_receive(self, &message) != THEATER_OK) {
        return 1;
    }
    std::printf("%.*s is there, theater %s\n",
                static_cast<int>(message->data.len),
                reinterpret_cast<const char *>(message->data.data),
                theater_version());
    theater_endpoint_done(self, THEATER_OK);
    theater_endpoint_unregister(self, THEATER_OK);
    theater_router_release(router);
    return 0;
}
