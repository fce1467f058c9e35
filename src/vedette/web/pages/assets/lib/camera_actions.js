// What may be done to a camera, from wherever it is shown: pause, resume, restart, remove.
import { may, order } from "./api.js";
import { askNow } from "./node.js";
import { say } from "./say.js";

export const cameraPath = (name) => `/cameras/${encodeURIComponent(name)}`;

// Tells what became of it. → whether it was done.
export async function act(name, what, body) {
  const told = { pause: "is paused", resume: "is watched again", restart: "is connected anew", remove: "is not watched any more" };
  try {
    if (what === "remove") await order(cameraPath(name), { method: "DELETE" });
    else await order(`${cameraPath(name)}/${what}`, { method: "POST", body: body ?? {} });
    say(`${name} ${told[what]}`);
    askNow();
    return true;
  } catch (error) {
    say(`${name}: ${error.message}`, { wrong: true });
    return false;
  }
}

// Items for a menu. `pause` and `remove` are asked about first, by whoever shows the menu.
export function actions(camera, { pause, remove }) {
  const items = [];
  if (may("operator")) {
    if (camera.health === "paused") items.push({ name: "Resume", does: () => act(camera.name, "resume") });
    else items.push({ name: "Pause…", does: pause });
    items.push({ name: "Restart", does: () => act(camera.name, "restart"), off: camera.health === "paused" });
  }
  if (may("admin")) items.push({ name: "Remove…", does: remove, danger: true });
  return items;
}
