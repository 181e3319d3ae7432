// Mounts GraphiQL on the page: queries by fetch, subscriptions by graphql-transport-ws.
(() => {
  const address = new URL("/graphql", location.href);
  const socketAddress = new URL(address);
  socketAddress.protocol = location.protocol === "https:" ? "wss:" : "ws:";

  // The headers of the tab go along with connection_init: browsers set none on websockets.
  const subscribe = (request, headers) => ({
    subscribe(observer) {
      const client = graphqlWs.createClient({
        url: socketAddress.href,
        connectionParams: headers,
        retryAttempts: 0,
      });
      const sink = {
        next: (value) => observer.next(value),
        error: (error) => observer.error(spoken(error)),
        complete: () => observer.complete(),
      };
      const end = client.subscribe(request, sink);
      return {
        unsubscribe() {
          end();
          client.dispose();
        },
      };
    },
  });

  // A closed socket says why in an event, which GraphiQL would print as {"isTrusted": true}.
  const spoken = (error) =>
    error instanceof CloseEvent
      ? new Error(`The connection was closed: ${error.code} ${error.reason}`)
      : error;

  const isSubscription = (documentAST, operationName) =>
    (documentAST?.definitions ?? []).some(
      (d) =>
        d.operation === "subscription" &&
        (!operationName || d.name?.value === operationName),
    );

  const fetcher = async (request, options = {}) => {
    const headers = options.headers ?? {};
    if (isSubscription(options.documentAST, request.operationName)) {
      return subscribe(request, headers);
    }
    const response = await fetch(address, {
      method: "POST",
      headers: {
        Accept: "application/graphql-response+json, application/json;q=0.9",
        "Content-Type": "application/json",
        ...headers,
      },
      body: JSON.stringify(request),
    });
    return response.json();
  };

  const examples = JSON.parse(document.getElementById("examples").textContent);
  const headers = '{\n  "Authorization": ""\n}';
  const logo = React.createElement("span", { className: "brand" }, "Aidloop");
  ReactDOM.render(
    React.createElement(
      GraphiQL,
      {
        fetcher,
        defaultQuery: examples,
        defaultTabs: [{ query: examples, headers }],
        defaultHeaders: headers,
        defaultEditorToolsVisibility: "headers",
        isHeadersEditorEnabled: true,
        shouldPersistHeaders: false,
      },
      React.createElement(GraphiQL.Logo, null, logo),
    ),
    document.getElementById("graphiql"),
  );
})();
