/** Built for work on the pages alone: a made-up back end instead of the program. */
declare const __FAKE__: boolean;
