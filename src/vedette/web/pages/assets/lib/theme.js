// Light and dark: as the system has it, until somebody chooses.
import { reactive } from "vue";
import { remembered } from "./remember.js";

const NEXT = { auto: "light", light: "dark", dark: "auto" };
export const theme = reactive({ chosen: remembered.get("theme", "auto") });

export function applyTheme() {
  const root = document.documentElement;
  if (theme.chosen === "auto") delete root.dataset.theme;
  else root.dataset.theme = theme.chosen;
  // Pages that are NiceGUI's own go by its mark.
  window.Quasar?.Dark?.set(theme.chosen === "auto" ? "auto" : theme.chosen === "dark");
}

export function nextTheme() {
  theme.chosen = NEXT[theme.chosen] ?? "auto";
  remembered.set("theme", theme.chosen);
  applyTheme();
  return theme.chosen;
}
