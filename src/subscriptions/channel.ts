/** The Channel seam: deliver one notification. One conformance suite for every channel (test/subscriptions/channel.ts). */

/** What goes over the wire. */
export interface Notification {
  readonly method: 'POST' | 'PUT';
  readonly url: string;
  /** As `Subscription.channel.header` gives them: `Name: value`. */
  readonly headers: readonly string[];
  readonly contentType: string;
  /** Empty for a classic subscription without payload. */
  readonly body: string;
  readonly timeoutMs: number;
}

/** `reason` is for `Subscription.error` and the log: no patient data, no secrets. */
export type DeliveryOutcome =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'try-again'; readonly reason: string }
  | { readonly kind: 'permanent'; readonly reason: string };

export interface Channel {
  /** Why an endpoint will not be used; undefined when it will. Asked when a Subscription is written. */
  refuses(endpoint: string): string | undefined;
  /** Never rejects. */
  deliver(notification: Notification): Promise<DeliveryOutcome>;
  close(): Promise<void>;
}
