// An order that takes a while, with what is said of it meanwhile.
import { ask, Problem } from "vedette-pages";

const ASKS_AGAIN_MS = 500;

export async function follow(path, options, hear) {
  let said = await ask(path, options);
  while (said?.number !== undefined && said.done === false) {
    if (said.words) hear(said.words);
    await new Promise((resolve) => setTimeout(resolve, ASKS_AGAIN_MS));
    said = await ask(`/orders/${said.number}`);
  }
  if (said?.failed) throw new Problem(409, { detail: said.failed });
  if (said?.unkept) throw new Problem(507, { detail: said.unkept });
  return said ?? {};
}
