export * from "./look.js";
export * from "./talk.js";
export * from "./shape.js";
