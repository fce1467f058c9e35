// What the node sends by itself (server-sent events), while somebody looks: a hidden page holds no connection.
import { addressOf } from "./api.js";

// events: { result: (data) => … }. → stop.
export function listen(path, query, events) {
  let source = null;

  function open() {
    source?.close();
    source = null;
    if (document.hidden) return;
    source = new EventSource(addressOf(path, query));
    for (const [name, heard] of Object.entries(events)) source.addEventListener(name, ({ data }) => heard(JSON.parse(data)));
  }

  document.addEventListener("visibilitychange", open);
  open();
  return () => {
    document.removeEventListener("visibilitychange", open);
    source?.close();
  };
}
