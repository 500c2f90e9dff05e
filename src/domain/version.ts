/** Version of this build; a test holds it against package.json. */
export const KEDGE_VERSION = '0.1.0';
