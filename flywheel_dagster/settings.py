"""Everything that is configured from outside, in one typed object. Nothing here connects or starts anything."""

from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from flywheel_dagster.errors import SettingsError


class Settings(BaseSettings):
    """Read from the environment, then from `.env` in the working directory. An empty value counts as not set."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore", frozen=True
    )

    # Where things live
    local: bool = Field(False, validation_alias="FLYWHEEL_LOCAL")
    database_url: SecretStr | None = Field(None, validation_alias="DATABASE_URL")
    dagster_database_url: SecretStr | None = Field(None, validation_alias="FLYWHEEL_DAGSTER_DATABASE_URL")
    home: Path = Field(Path(".flywheel"), validation_alias="FLYWHEEL_HOME")
    training_data_dir: Path = Field(Path("training_data"), validation_alias="TRAINING_DATA_DIR")
    dagster_port: Annotated[int, Field(ge=1, le=65535)] = Field(3000, validation_alias="FLYWHEEL_DAGSTER_PORT")

    # What a training set is made of
    min_quality: Annotated[float, Field(ge=0, le=1)] = Field(0.6, validation_alias="FLYWHEEL_MIN_QUALITY")
    min_examples: Annotated[int, Field(ge=10)] = Field(50, validation_alias="FLYWHEEL_MIN_EXAMPLES")
    max_examples: Annotated[int, Field(ge=10)] = Field(10_000, validation_alias="FLYWHEEL_MAX_EXAMPLES")
    validation_share: Annotated[float, Field(ge=0, lt=1)] = Field(0.1, validation_alias="FLYWHEEL_VALIDATION_SHARE")
    test_share: Annotated[float, Field(ge=0, lt=1)] = Field(0.1, validation_alias="FLYWHEEL_TEST_SHARE")
    window_weeks: Annotated[int, Field(ge=1)] | None = Field(None, validation_alias="FLYWHEEL_WINDOW_WEEKS")
    channels: str | None = Field(None, validation_alias="FLYWHEEL_CHANNELS")
    negatives: bool = Field(False, validation_alias="FLYWHEEL_NEGATIVES")
    group_cap: Annotated[int, Field(ge=1)] = Field(20, validation_alias="FLYWHEEL_GROUP_CAP")
    repeat_up_to: Annotated[int, Field(ge=1, le=10)] = Field(1, validation_alias="FLYWHEEL_REPEAT_UP_TO")
    maturity_days: Annotated[int, Field(ge=0, le=3650)] = Field(30, validation_alias="FLYWHEEL_MATURITY_DAYS")
    max_example_tokens: Annotated[int, Field(ge=100, le=65_536)] = Field(65_536, validation_alias="FLYWHEEL_MAX_EXAMPLE_TOKENS")
    outcome_note: bool = Field(False, validation_alias="FLYWHEEL_OUTCOME_NOTE")
    processes: Annotated[int, Field(ge=1, le=256)] | None = Field(None, validation_alias="FLYWHEEL_PROCESSES")

    # The warehouse that training-ready outcomes are exported to
    warehouse: str | None = Field(None, validation_alias="FLYWHEEL_WAREHOUSE")
    warehouse_texts: bool = Field(False, validation_alias="FLYWHEEL_WAREHOUSE_TEXTS")
    snowflake_user: str | None = Field(None, validation_alias="SNOWFLAKE_USER")
    snowflake_password: SecretStr | None = Field(None, validation_alias="SNOWFLAKE_PASSWORD")
    snowflake_private_key_path: Path | None = Field(None, validation_alias="SNOWFLAKE_PRIVATE_KEY_PATH")
    snowflake_private_key_password: SecretStr | None = Field(None, validation_alias="SNOWFLAKE_PRIVATE_KEY_PASSPHRASE")
    snowflake_role: str | None = Field(None, validation_alias="SNOWFLAKE_ROLE")
    snowflake_warehouse: str | None = Field(None, validation_alias="SNOWFLAKE_WAREHOUSE")

    # Who trains
    trainer: Literal["openai", "azure", "together", "lora", "exemplars"] = Field("openai", validation_alias="FLYWHEEL_TRAINER")
    base_model: str | None = Field(None, validation_alias="FLYWHEEL_BASE_MODEL")
    training_method: Literal["supervised", "dpo"] = Field("supervised", validation_alias="FLYWHEEL_TRAINING_METHOD")
    epochs: Annotated[int, Field(ge=1, le=50)] = Field(3, validation_alias="FLYWHEEL_EPOCHS")
    batch_size: Annotated[int, Field(ge=1, le=256)] | None = Field(None, validation_alias="FLYWHEEL_BATCH_SIZE")
    learning_rate: Annotated[float, Field(gt=0)] | None = Field(None, validation_alias="FLYWHEEL_LEARNING_RATE")
    training_seed: Annotated[int, Field(ge=0, lt=2**31)] = Field(17, validation_alias="FLYWHEEL_TRAINING_SEED")
    model_name: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,22}[a-z0-9])?$")] = Field(
        "flywheel", validation_alias="FLYWHEEL_MODEL_NAME"
    )
    prices: Path | None = Field(None, validation_alias="FLYWHEEL_PRICES")
    training_budget_usd: Annotated[Decimal, Field(ge=0)] | None = Field(None, validation_alias="FLYWHEEL_TRAINING_BUDGET_USD")
    poll_seconds: Annotated[float, Field(gt=0)] = Field(60, validation_alias="FLYWHEEL_POLL_SECONDS")
    training_timeout_hours: Annotated[float, Field(gt=0)] = Field(24, validation_alias="FLYWHEEL_TRAINING_TIMEOUT_HOURS")
    openai_api_key: SecretStr | None = Field(None, validation_alias="OPENAI_API_KEY")
    openai_base_url: str | None = Field(None, validation_alias="OPENAI_BASE_URL")
    openai_webhook_secret: SecretStr | None = Field(None, validation_alias="OPENAI_WEBHOOK_SECRET")
    azure_openai_endpoint: str | None = Field(None, validation_alias="AZURE_OPENAI_ENDPOINT")
    azure_openai_api_key: SecretStr | None = Field(None, validation_alias="AZURE_OPENAI_API_KEY")
    azure_resource_id: str | None = Field(None, validation_alias="FLYWHEEL_AZURE_RESOURCE_ID")
    azure_tenant_id: str | None = Field(None, validation_alias="AZURE_TENANT_ID")
    azure_client_id: str | None = Field(None, validation_alias="AZURE_CLIENT_ID")
    azure_client_secret: SecretStr | None = Field(None, validation_alias="AZURE_CLIENT_SECRET")
    azure_training_type: Literal["Standard", "GlobalStandard", "Developer"] = Field(
        "Standard", validation_alias="FLYWHEEL_AZURE_TRAINING_TYPE"
    )
    azure_deployment_type: Literal["Standard", "GlobalStandard", "Developer"] = Field(
        "Standard", validation_alias="FLYWHEEL_AZURE_DEPLOYMENT_TYPE"
    )
    together_api_key: SecretStr | None = Field(None, validation_alias="TOGETHER_API_KEY")
    together_base_url: str | None = Field(None, validation_alias="TOGETHER_BASE_URL")
    together_hardware: str | None = Field(None, validation_alias="FLYWHEEL_TOGETHER_HARDWARE")
    lora_base_url: str | None = Field(None, validation_alias="FLYWHEEL_LORA_BASE_URL")
    lora_api_key: SecretStr | None = Field(None, validation_alias="FLYWHEEL_LORA_API_KEY")
    exemplars: Annotated[int, Field(ge=1, le=20)] = Field(4, validation_alias="FLYWHEEL_EXEMPLARS")

    # Who examines a candidate
    min_test_prompts: Annotated[int, Field(ge=10)] = Field(30, validation_alias="FLYWHEEL_MIN_TEST_PROMPTS")
    max_test_prompts: Annotated[int, Field(ge=10)] = Field(200, validation_alias="FLYWHEEL_MAX_TEST_PROMPTS")
    examination_concurrency: Annotated[int, Field(ge=1, le=256)] = Field(8, validation_alias="FLYWHEEL_EXAMINATION_CONCURRENCY")
    judge_model: str | None = Field(None, validation_alias="FLYWHEEL_JUDGE_MODEL")

    # What asking models for messages costs
    inference_prices: Path | None = Field(None, validation_alias="FLYWHEEL_INFERENCE_PRICES")

    # Experiments: when a variant is promoted or taken back
    experiment_rule: Literal["evidence", "score", "rates"] = Field("evidence", validation_alias="FLYWHEEL_EXPERIMENT_RULE")
    experiment_age_days: Annotated[float, Field(gt=0, le=365)] = Field(14, validation_alias="FLYWHEEL_EXPERIMENT_AGE_DAYS")
    experiment_full_age_days: Annotated[float, Field(gt=0, le=730)] = Field(
        90, validation_alias="FLYWHEEL_EXPERIMENT_FULL_AGE_DAYS"
    )
    experiment_minimum_weeks: Annotated[int, Field(ge=1, le=52)] = Field(2, validation_alias="FLYWHEEL_EXPERIMENT_MINIMUM_WEEKS")
    experiment_ramp_percent: Annotated[float, Field(gt=0, lt=100)] = Field(50, validation_alias="FLYWHEEL_EXPERIMENT_RAMP_PERCENT")
    experiment_acts: bool = Field(True, validation_alias="FLYWHEEL_EXPERIMENT_ACTS")
    deploy_global: bool = Field(False, validation_alias="FLYWHEEL_DEPLOY_GLOBAL")
    deploy_percent: Annotated[float, Field(gt=0, lt=100)] = Field(10, validation_alias="FLYWHEEL_DEPLOY_PERCENT")

    # What works: when meetings and deals count, and how much of the traffic goes on trying
    strategy_meeting_days: Annotated[int, Field(ge=1, le=365)] = Field(30, validation_alias="FLYWHEEL_STRATEGY_MEETING_DAYS")
    strategy_deal_days: Annotated[int, Field(ge=1, le=730)] = Field(90, validation_alias="FLYWHEEL_STRATEGY_DEAL_DAYS")
    strategy_floor: Annotated[float, Field(gt=0, le=1)] = Field(0.1, validation_alias="FLYWHEEL_STRATEGY_FLOOR")

    # Lead scoring: what holds while nothing is known, what is called high and medium, and when a new version is learnt and deployed
    lead_prior: Annotated[float, Field(gt=0, lt=1)] = Field(0.2, validation_alias="FLYWHEEL_LEAD_PRIOR")
    lead_medium: Annotated[float, Field(ge=0, le=1)] = Field(0.4, validation_alias="FLYWHEEL_LEAD_MEDIUM")
    lead_high: Annotated[float, Field(ge=0, le=1)] = Field(0.7, validation_alias="FLYWHEEL_LEAD_HIGH")
    lead_feedback: Annotated[int, Field(ge=1)] = Field(50, validation_alias="FLYWHEEL_LEAD_FEEDBACK")
    lead_policy: Literal["evidence", "plain"] = Field("evidence", validation_alias="FLYWHEEL_LEAD_POLICY")
    icp_from_lead_scores: bool = Field(False, validation_alias="FLYWHEEL_ICP_FROM_LEAD_SCORES")

    # Who reads replies
    reply_model: str = Field("gpt-6-luna", validation_alias="FLYWHEEL_REPLY_MODEL")
    reply_timeout: Annotated[float, Field(gt=0)] = Field(30, validation_alias="FLYWHEEL_REPLY_TIMEOUT")
    reply_concurrency: Annotated[int, Field(ge=1, le=1_000)] = Field(8, validation_alias="FLYWHEEL_REPLY_CONCURRENCY")
    reply_price: str | None = Field(None, validation_alias="FLYWHEEL_REPLY_PRICE")
    reply_budget_usd: Annotated[Decimal, Field(ge=0)] | None = Field(None, validation_alias="FLYWHEEL_REPLY_BUDGET_USD")
    reply_batch_from: Annotated[int, Field(ge=1)] = Field(500, validation_alias="FLYWHEEL_REPLY_BATCH_FROM")
    reply_head: Literal["auto", "on", "off"] = Field("auto", validation_alias="FLYWHEEL_REPLY_HEAD")

    # Who may report outcomes (the environment's own connection; more by flywheel connection add)
    ingester_port: Annotated[int, Field(ge=1, le=65535)] = Field(8081, validation_alias="FLYWHEEL_INGESTER_PORT")
    organization_id: str | None = Field(None, validation_alias="FLYWHEEL_ORGANIZATION_ID")
    public_url: str | None = Field(None, validation_alias="FLYWHEEL_PUBLIC_URL")
    insecure_webhooks: bool = Field(False, validation_alias="FLYWHEEL_INSECURE_WEBHOOKS")
    webhook_rate: Annotated[float, Field(gt=0)] = Field(1_000, validation_alias="FLYWHEEL_WEBHOOK_RATE")
    sendgrid_webhook_public_key: str | None = Field(None, validation_alias="SENDGRID_WEBHOOK_PUBLIC_KEY")
    sendgrid_webhook_secret: SecretStr | None = Field(None, validation_alias="SENDGRID_WEBHOOK_SECRET")
    sendgrid_hmac: bool = Field(False, validation_alias="FLYWHEEL_SENDGRID_HMAC")
    sendgrid_inbound_token: SecretStr | None = Field(None, validation_alias="SENDGRID_INBOUND_TOKEN")
    crm_webhook_secret: SecretStr | None = Field(None, validation_alias="CRM_WEBHOOK_SECRET")
    hubspot_client_secret: SecretStr | None = Field(None, validation_alias="HUBSPOT_CLIENT_SECRET")
    hubspot_signatures: str = Field("v3", validation_alias="FLYWHEEL_HUBSPOT_SIGNATURES")
    pipedrive_webhook_user: str | None = Field(None, validation_alias="PIPEDRIVE_WEBHOOK_USER")
    pipedrive_webhook_password: SecretStr | None = Field(None, validation_alias="PIPEDRIVE_WEBHOOK_PASSWORD")
    salesforce_org_ids: str | None = Field(None, validation_alias="SALESFORCE_ORG_IDS")
    salesforce_webhook_token: SecretStr | None = Field(None, validation_alias="SALESFORCE_WEBHOOK_TOKEN")
    calendly_webhook_signing_key: SecretStr | None = Field(None, validation_alias="CALENDLY_WEBHOOK_SIGNING_KEY")

    # Who may use the API (more keys by flywheel key add), and where it reaches Dagster
    api_port: Annotated[int, Field(ge=1, le=65535)] = Field(8082, validation_alias="FLYWHEEL_API_PORT")
    api_keys: str | None = Field(None, validation_alias="FLYWHEEL_API_KEYS")
    api_requests_per_minute: Annotated[int, Field(ge=1, le=10_000)] = Field(
        100, validation_alias="FLYWHEEL_API_REQUESTS_PER_MINUTE"
    )
    dagster_url: str | None = Field(None, validation_alias="FLYWHEEL_DAGSTER_URL")

    @field_validator("home", "training_data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("lead_high")
    @classmethod
    def _above_medium(cls, value: float, others: ValidationInfo) -> float:
        if value < others.data.get("lead_medium", 0.0):
            raise ValueError(f"high begins at {value:g}, below medium (FLYWHEEL_LEAD_MEDIUM)")
        return value

    @property
    def warehouse_address(self) -> str:
        """FLYWHEEL_WAREHOUSE, or the folder `warehouse` in FLYWHEEL_HOME; with FLYWHEEL_LOCAL always that folder."""
        return str(self.home / "warehouse") if self.local or self.warehouse is None else self.warehouse

    @property
    def dagster_address(self) -> str:
        """FLYWHEEL_DAGSTER_URL, or the UI of make dev on this machine."""
        return self.dagster_url or f"http://127.0.0.1:{self.dagster_port}"

    @property
    def uses_local_model_server(self) -> bool:
        """FLYWHEEL_LOCAL, or no key and no address: models come from the development server in `sandbox/`, which costs nothing."""
        return self.local or (self.openai_api_key is None and self.openai_base_url is None)

    @property
    def uses_embedded_database(self) -> bool:
        """FLYWHEEL_LOCAL, or no DATABASE_URL: the embedded server in `sandbox/`."""
        return self.local or self.database_url is None


def load_settings() -> Settings:
    """The settings as they are now. Raises SettingsError naming the variable and what it may be."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"{name}: {first['msg']}; correct it in the environment or in .env (see .env.example)") from error


@cache
def variable_names() -> tuple[str, ...]:
    """The environment variables that are read, in the order of declaration."""
    return tuple(str(field.validation_alias) for field in Settings.model_fields.values())
